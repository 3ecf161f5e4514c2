// What stands between `interpret` and the gateway's contract. An author need not read it; index.d.ts says what there is.
import { log as writeLog } from "tidegate:plugin/host@0.1.0";
import { Reader, parseJson } from "./read.js";
import { give } from "./give.js";
import { Failed, Skip } from "./errors.js";

export { Failed, Skip };

/** Thrown by `fetch` while there is no answer. What was asked for wins, whatever the plugin makes of it. */
class Need extends Error {}

/** What the world exports as `normalizer`. */
export function plugin(interpret) {
    return {
        interpret: (connection, items) => items.map((item) => outcome(interpret, connection, item)),
    };
}

function outcome(interpret, connection, item) {
    const ctx = new Context(connection, item);
    try {
        const done = completed(interpret(new Item(item), ctx), ctx.newState);
        return ctx.needed.length > 0 ? need(ctx.needed) : { tag: "done", val: done };
    } catch (error) {
        return ctx.needed.length > 0 ? need(ctx.needed) : refusal(error);
    }
}

function need(requests) {
    try {
        return { tag: "need", val: give("request[]", requests, "need") };
    } catch (error) {
        return refusal(error);
    }
}

function refusal(error) {
    if (error instanceof Skip) return { tag: "skip", val: String(error.message).toWellFormed() };
    if (error instanceof Failed) {
        const { field, message, retry } = error;
        return failed(field === undefined ? undefined : String(field), String(message), Boolean(retry));
    }
    if (!(error instanceof Error)) return failed(undefined, `the plugin threw ${typeof error === "string" ? error : typeof error}`, false);
    // Cut, so that a call full of mistakes keeps within what it may log.
    writeLog("debug", String(error.stack).slice(0, 1000).toWellFormed());
    return failed(undefined, `${error.name}: ${error.message}${place(error)}`, false);
}

function failed(field, reason, retryable) {
    return { tag: "failed", val: { field: field?.toWellFormed(), reason: reason.toWellFormed(), retryable } };
}

/** The function and the line of build/plugin.js where an error came up. */
function place(error) {
    const frame = String(error.stack ?? "").split("\n").find((line) => line.trim() !== "");
    return frame === undefined ? "" : ` (${frame.trim()})`;
}

/** An event, a list of them, or `{ events, triggers }`, as the contract has it. */
function completed(result, state) {
    if (result === undefined || result === null) {
        throw new Failed("the plugin returned nothing: return an event, a list of events or { events, triggers }, or throw a Skip");
    }
    const { events, triggers } = Array.isArray(result) ? { events: result } : "kind" in result ? { events: [result] } : result;
    const done = {
        events: (events ?? []).map(withTexts),
        triggers: (triggers ?? []).map((trigger) => ({ ...trigger, variables: json(trigger.variables ?? {}) })),
        state,
    };
    return give("done", done, "done");
}

/** Objects of the author where the contract has JSON as text. */
function withTexts(event) {
    const { extra = {}, payload = { custom: {} } } = event;
    const { custom } = payload;
    return { ...event, extra: json(extra), payload: custom === undefined ? payload : { custom: json(custom) } };
}

function json(value) {
    return typeof value === "string" ? value : JSON.stringify(value);
}

/** The item, with readers. */
class Item {
    constructor(item) {
        this.id = item.id;
        this.topic = item.topic;
        this.headers = item.headers;
        this.body = item.body;
        this.receivedAt = item.receivedAt;
        this.envelope = item.envelope === undefined || item.envelope === null ? undefined : parseJson(item.envelope, "the envelope");
    }

    header(name) {
        return header(this.headers, name);
    }

    json() {
        return parseJson(this.body);
    }

    read() {
        return new Reader(this.json(), "");
    }
}

class Context {
    constructor(connection, item) {
        this.connection = connection;
        this.needed = [];
        this.newState = undefined;
        this.item = item;
        this.nextAnswer = 0;
    }

    get settings() {
        return parseJson(this.connection.settings, "the settings of the connection");
    }

    get state() {
        const { state } = this.item;
        return state === undefined || state === null ? undefined : parseJson(state, "the stored state");
    }

    setState(state) {
        this.newState = json(state);
    }

    fetch(wanted) {
        return answered(this.#answer(wanted));
    }

    fetchAll(wanted) {
        const answers = wanted.map((one) => this.#peek(one));
        if (answers.includes(undefined)) throw new Need("answers are needed first");
        return answers.map(answered);
    }

    tryFetch(wanted) {
        const { tag, val } = this.#answer(wanted);
        return tag === "response" ? new Response(val) : undefined;
    }

    log(level, message) {
        writeLog(level, String(message).toWellFormed());
    }

    #answer(wanted) {
        const answer = this.#peek(wanted);
        if (answer === undefined) throw new Need("answers are needed first");
        return answer;
    }

    /** The answer, or nothing and a note that it is needed. */
    #peek(wanted) {
        const answer = this.item.answers[this.nextAnswer++];
        if (answer === undefined) this.needed.push(request(wanted));
        return answer;
    }
}

function answered({ tag, val }) {
    if (tag === "failed") throw new Failed(`the provider gave no answer: ${val}`);
    return new Response(val);
}

/** A URL, or `{ url, method, headers, body, json }`, as the contract has it. */
function request(wanted) {
    const { url, method, headers = {}, body, json: sent } = typeof wanted === "string" ? { url: wanted } : wanted;
    const typed = sent === undefined ? headers : { "content-type": "application/json", ...headers };
    return {
        method: method ?? (sent === undefined && body === undefined ? "GET" : "POST"),
        url: String(url),
        headers: Object.entries(typed).map(([name, value]) => ({ name, value })),
        body: sent === undefined ? body : JSON.stringify(sent),
    };
}

class Response {
    constructor(response) {
        this.status = response.status;
        this.headers = response.headers;
        this.body = response.body;
        this.ok = response.status >= 200 && response.status < 300;
    }

    header(name) {
        return header(this.headers, name);
    }

    json() {
        return parseJson(this.body, "the provider's answer");
    }

    read() {
        return new Reader(this.json(), "", "the provider's answer");
    }
}

function header(headers, name) {
    const wanted = name.toLowerCase();
    return headers.find((one) => one.name.toLowerCase() === wanted)?.value;
}

/** What one webhook tells about a person; nothing when it does not say who it is. */
export function contact({ phone, region, whatsappId, whatsappUserId, email, externalId, fields, ...rest }) {
    const keys = [];
    const add = (value, key) => {
        const text = typeof value === "string" ? value.trim() : value;
        if (text !== undefined && text !== null && text !== "") keys.push(key(text));
    };
    add(phone, (number) => ({ phone: { number, region } }));
    add(whatsappId, (id) => ({ "whatsapp-id": id }));
    add(whatsappUserId, (id) => ({ "whatsapp-user-id": id }));
    add(email, (address) => ({ email: address }));
    add(externalId, (id) => ({ "external-id": id }));
    if (keys.length === 0) return undefined;
    return { ...rest, keys, fields: Object.entries(fields ?? {}).map(([name, value]) => ({ name, value })) };
}
