// Reading JSON with errors that name the field. Numbers that JavaScript would round (24.950, ids over 2^53) keep their digits: they are read as texts.
import { Failed } from "./errors.js";

/** A number that may lose something, after what stands before a number. A text that looks alike costs a second reading, and nothing else. */
const MAY_BE_INEXACT = /(?:^|[:,[])\s*-?(?:\d{16}|\d+\.\d|\d+[eE])/;
/** Texts, to pass over, and numbers. */
const TEXT_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;
const MAX_DIGITS = 28;
const INSTANT = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.\d+)?([Zz]|[+-](\d\d):?(\d\d))$/;

/** Reads JSON; `what` names it in the error when it is not the item's body. */
export function parseJson(text, what) {
    try {
        const value = JSON.parse(text);
        return MAY_BE_INEXACT.test(text) ? JSON.parse(text.replace(TEXT_OR_NUMBER, exact)) : value;
    } catch (error) {
        throw new Failed(`${what === undefined ? "" : `${what}: `}expected JSON: ${error.message}`);
    }
}

function exact(token) {
    return token[0] === '"' || String(Number(token)) === token ? token : `"${token}"`;
}

/** A place in a JSON text. */
export class Reader {
    constructor(value, pointer, what) {
        this.value = value;
        this.pointer = pointer;
        this.what = what;
    }

    /** The object under a key. */
    at(key) {
        const reader = this.#required(key);
        if (!isObject(reader.value)) throw reader.#expected("an object");
        return reader;
    }

    maybeAt(key) {
        return this.#absent(key) ? undefined : this.at(key);
    }

    /** The elements of an array; none when it is absent. */
    each(key) {
        if (this.#absent(key)) return [];
        const reader = this.#required(key);
        if (!Array.isArray(reader.value)) throw reader.#expected("an array");
        return reader.value.map((value, place) => new Reader(value, `${reader.pointer}/${place}`, this.what));
    }

    text(key) {
        return this.#required(key).#content("a string or a number");
    }

    maybeText(key) {
        const text = this.#absent(key) ? "" : this.text(key).trim();
        return text === "" ? undefined : text;
    }

    decimal(key) {
        const reader = this.#required(key);
        const what = "a decimal such as -10.00";
        const decimal = canonicalDecimal(reader.#content(what));
        if (decimal === undefined) throw reader.#expected(what);
        return decimal;
    }

    maybeDecimal(key) {
        return this.#absent(key) ? undefined : this.decimal(key);
    }

    instant(key) {
        const reader = this.#required(key);
        const what = "an instant such as 2026-03-30T14:30:00Z (RFC 3339 with an offset, or unix time)";
        const instant = rfc3339(reader.#content(what));
        if (instant === undefined) throw reader.#expected(what);
        return instant;
    }

    maybeInstant(key) {
        return this.#absent(key) ? undefined : this.instant(key);
    }

    flag(key) {
        const reader = this.#required(key);
        if (typeof reader.value !== "boolean") throw reader.#expected("true or false");
        return reader.value;
    }

    /** An error about the value under a key, to throw. */
    failed(key, reason, options) {
        return this.#below(key).#failed(reason, options);
    }

    #below(key) {
        const value = isObject(this.value) && Object.hasOwn(this.value, key) ? this.value[key] : undefined;
        const token = String(key).replaceAll("~", "~0").replaceAll("/", "~1");
        return new Reader(value, `${this.pointer}/${token}`, this.what);
    }

    #absent(key) {
        const { value } = this.#below(key);
        return value === undefined || value === null;
    }

    #required(key) {
        const reader = this.#below(key);
        if (reader.value !== undefined) return reader;
        if (!isObject(this.value)) throw this.#expected("an object");
        throw this.#failed(`missing field \`${key}\``);
    }

    #content(what) {
        if (typeof this.value === "string") return this.value;
        if (typeof this.value === "number") return String(this.value);
        throw this.#expected(what);
    }

    #expected(what) {
        return this.#failed(`expected ${what}, found ${found(this.value)}`);
    }

    #failed(reason, options) {
        const { what, pointer } = this;
        if (what !== undefined) return new Failed(`${what}, ${pointer || "/"}: ${reason}`, options);
        return new Failed(reason, { ...options, field: pointer === "" ? undefined : pointer });
    }
}

function isObject(value) {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

function found(value) {
    if (value === null) return "null";
    if (Array.isArray(value)) return "an array";
    if (typeof value === "object") return "an object";
    if (typeof value === "boolean") return "a boolean";
    const text = JSON.stringify(value);
    return text.length <= 40 ? text : "a long text";
}

/** Digits with an optional sign and point; nothing when the text is no decimal, or too long to be kept exactly. */
export function canonicalDecimal(text) {
    const match = DECIMAL.exec(text.trim());
    if (match === null) return undefined;
    const [, sign, whole, fraction = "", exponent = "0"] = match;
    if (whole === "" && fraction === "") return undefined;
    const scale = fraction.length - Number(exponent);
    if (Math.abs(scale) > MAX_DIGITS) return undefined;
    const digits = (whole + fraction + "0".repeat(Math.max(0, -scale))).replace(/^0+/, "");
    if (digits.length > MAX_DIGITS) return undefined;
    const padded = digits.padStart(Math.max(0, scale) + 1, "0");
    const point = padded.length - Math.max(0, scale);
    const minus = sign === "-" && digits !== "" ? "-" : "";
    return minus + padded.slice(0, point) + (scale > 0 ? `.${padded.slice(point)}` : "");
}

/** RFC 3339 with its offset, from that, from an offset without a colon, or from unix time in seconds or (12 digits or more) milliseconds. */
export function rfc3339(text) {
    const trimmed = text.trim();
    if (/^-?\d{1,15}$/.test(trimmed)) {
        const value = Number(trimmed);
        const instant = new Date(Math.abs(value) < 1e11 ? value * 1000 : value).toISOString().replace(".000Z", "Z");
        return /^\d{4}-/.test(instant) ? instant : undefined;
    }
    const match = INSTANT.exec(trimmed);
    if (match === null) return undefined;
    const [, year, month, day, hour, minute, second, , offsetHours = "0", offsetMinutes = "0"] = match;
    const days = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
    const good = within(month, 1, 12) && within(day, 1, days) && within(hour, 0, 23) && within(minute, 0, 59) && within(second, 0, 60);
    if (!good || !within(offsetHours, 0, 23) || !within(offsetMinutes, 0, 59)) return undefined;
    return trimmed.replace(/([+-]\d\d)(\d\d)$/, "$1:$2");
}

function within(text, least, most) {
    return Number(text) >= least && Number(text) <= most;
}
