// What a plugin has at hand. The records of the contract are in contract.d.ts.
import type * as contract from "./contract.js";

export type * from "./contract.js";

/** Turns one item into what happened. It must depend on its arguments alone: the gateway may call it again, and compares. */
export type Interpret = (item: Item, ctx: Context) => Event | Event[] | Interpretation;

/** What the file exports as `normalizer`. Whatever `interpret` throws parks the item with its message. */
export function plugin(interpret: Interpret): object;

/** To throw: the item is authentic, understood, and of no interest: why. */
export class Skip extends Error {
    constructor(reason: string);
}

/** To throw: the item can't be read. It is parked, visible and replayable. */
export class Failed extends Error {
    /** `field` is a JSON pointer such as `/customer/phone`; with `retry` the gateway tries again later. */
    constructor(reason: string, options?: { field?: string; retry?: boolean });
}

/** What one webhook tells about a person, all of it optional; nothing when it does not say who it is. */
export function contact(person: {
    /** As written; the gateway reads it, and ignores what is no number. */
    phone?: string | null;
    /** Country to assume when the phone has no country code. */
    region?: string | null;
    whatsappId?: string | null;
    whatsappUserId?: string | null;
    email?: string | null;
    /** The person's id at the provider. */
    externalId?: string | null;
    name?: string | null;
    firstName?: string | null;
    lastName?: string | null;
    language?: string | null;
    country?: string | null;
    timeZone?: string | null;
    tags?: string[] | null;
    /** Further fields by name; `null` clears one. */
    fields?: Record<string, string | null>;
    consents?: contract.Consent[];
}): contract.ContactInfo | undefined;

/** Events, and triggers beside them. */
export interface Interpretation {
    events?: Event[];
    triggers?: Trigger[];
}

/** What happened. `eventKey` tells it from the other events of the same item; `extra` is any object. */
export type Event = Omit<contract.Event, "extra" | "payload"> & {
    extra?: object;
    /** Details by kind; `custom` holds any object. */
    payload?: Exclude<contract.Payload, { custom: string }> | { custom: object };
};

/** A signal for flows; `variables` is any object. */
export type Trigger = Omit<contract.Trigger, "variables"> & { variables?: object };

/** The unit of interpretation: one part of a delivery, often all of it. */
export interface Item {
    /** The same each time it is interpreted. */
    readonly id: string;
    /** What the provider says it is. */
    readonly topic: string;
    readonly headers: readonly contract.Header[];
    /** The item's own text. */
    readonly body: string;
    /** What surrounds the item, when the manifest's `envelope` asks for it. */
    readonly envelope: any;
    /** When the gateway received the delivery (instant). */
    readonly receivedAt: string;
    /** A header's value; the name in any case. */
    header(name: string): string | undefined;
    /** The body as a value. Numbers that JavaScript would round are texts. */
    json(): any;
    /** The body, to read with errors that name the field. */
    read(): Reader;
}

/** A place in a JSON text. What is not as asked for is thrown as a `Failed` with its pointer. */
export interface Reader {
    /** The value here. */
    readonly value: any;
    /** The JSON pointer to here. */
    readonly pointer: string;
    at(key: string): Reader;
    maybeAt(key: string): Reader | undefined;
    /** The elements of an array; none when it is absent. */
    each(key: string): Reader[];
    /** A string, or the digits of a number. */
    text(key: string): string;
    /** Nothing when it is absent, null or blank. */
    maybeText(key: string): string | undefined;
    /** A decimal from a string or a number, its digits as they are. */
    decimal(key: string): string;
    maybeDecimal(key: string): string | undefined;
    /** RFC 3339 text, from that or from unix time. */
    instant(key: string): string;
    maybeInstant(key: string): string | undefined;
    flag(key: string): boolean;
    /** An error about the value under a key, to throw. */
    failed(key: string, reason: string, options?: { retry?: boolean }): Failed;
}

/** What a plugin may use while it interprets one item. */
export interface Context {
    readonly connection: { readonly name: string; readonly account?: string | null };
    /** The plugin's settings for this connection. */
    readonly settings: any;
    /** What was last kept under the item's state key; `undefined` the first time. */
    readonly state: any;
    /** Keeps a new state, in the commit that stores the events. */
    setState(state: object): void;
    /**
     * Reads from the provider; any status is an answer. The gateway makes the request (only to granted hosts, with the connection's credentials) and calls `interpret`
     * again with the answer: what comes before must depend on nothing but the item.
     */
    fetch(request: string | FetchRequest): Response;
    /** Several at once, which do not depend on each other. */
    fetchAll(requests: (string | FetchRequest)[]): Response[];
    /** Like `fetch`, but nothing when there will be no answer. */
    tryFetch(request: string | FetchRequest): Response | undefined;
    /** Writes a line to the gateway's log. Never log personal data. */
    log(level: "debug" | "info" | "warn" | "error", message: string): void;
}

/** A request: `GET` unless there is something to send. */
export interface FetchRequest {
    /** Absolute `https` URL of a host that plugin.toml names under `[capabilities]`. */
    url: string;
    method?: "GET" | "POST";
    headers?: Record<string, string>;
    body?: string;
    /** A value to send as JSON. */
    json?: unknown;
}

export interface Response {
    readonly status: number;
    /** Whether the status is 2xx. */
    readonly ok: boolean;
    readonly headers: readonly contract.Header[];
    readonly body: string;
    header(name: string): string | undefined;
    json(): any;
    read(): Reader;
}
