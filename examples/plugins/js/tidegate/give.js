// Checks what a plugin returns against the contract's shapes, and completes it: a mistake becomes an error with its place, not a crash.
import { enums, records, variants } from "./contract.js";
import { Failed } from "./errors.js";

/** Shapes by their notation: `order`, `text?`, `line-item[]`. */
const shapes = new Map();
for (const [name, fields] of Object.entries(records)) shapes.set(name, { record: name, fields: undefined, notations: fields });
for (const [name, cases] of Object.entries(variants)) shapes.set(name, { variant: name, cases });
for (const [name, words] of Object.entries(enums)) shapes.set(name, { words });
// Looked up now, at build time, so that nothing is left for the call.
for (const shape of [...shapes.values()]) {
    if (shape.notations) shape.fields = Object.entries(shape.notations).map(([name, notation]) => [name, shapeOf(notation)]);
    if (shape.cases) for (const notation of Object.values(shape.cases)) shapeOf(notation);
}
for (const notation of ["done", "request[]"]) shapeOf(notation);

function shapeOf(notation) {
    const known = shapes.get(notation);
    if (known) return known;
    const shape = notation.endsWith("?")
        ? { optional: shapeOf(notation.slice(0, -1)) }
        : notation.endsWith("[]")
          ? { list: shapeOf(notation.slice(0, -2)) }
          : { plain: notation };
    shapes.set(notation, shape);
    return shape;
}

/** Where the value is that is being checked. */
const path = [];

/** The value as the contract has it; `start` names it in errors. */
export function give(notation, value, start) {
    path.length = 0;
    path.push(start);
    return check(shapeOf(notation), value);
}

function check(shape, value) {
    if (shape.plain) return plain(shape.plain, value);
    if (shape.optional) return value === undefined || value === null ? undefined : check(shape.optional, value);
    if (shape.list) return list(shape.list, value);
    if (shape.record) return record(shape, value);
    if (shape.variant) return variant(shape, value);
    if (!shape.words.includes(value)) throw mistake(`expected one of ${shape.words.join(", ")}, found ${found(value)}`);
    return value;
}

function plain(kind, value) {
    if (kind === "text") {
        if (typeof value === "string") return value.isWellFormed() ? value : value.toWellFormed();
        throw mistake(`expected a text, found ${found(value)}`);
    }
    if (kind === "flag") {
        if (typeof value === "boolean" || value === undefined) return value === true;
        throw mistake(`expected true or false, found ${found(value)}`);
    }
    const [least, most] = kind === "s32" ? [-(2 ** 31), 2 ** 31 - 1] : [0, 2 ** Number(kind.slice(1)) - 1];
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw mistake(`expected a whole number from ${least} to ${most}, found ${found(value)}`);
}

function list(shape, value) {
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) throw mistake(`expected a list, found ${found(value)}`);
    return value.map((one, place) => inside(place, shape, one));
}

function record(shape, value) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw mistake(`expected ${shape.record}, found ${found(value)}`);
    for (const name in value) {
        if (!Object.hasOwn(shape.notations, name)) throw mistake(`${shape.record} has no field \`${name}\`; it has ${Object.keys(shape.notations).join(", ")}`);
    }
    const complete = {};
    for (const [name, of] of shape.fields) complete[name] = inside(name, of, value[name]);
    return complete;
}

function variant(shape, value) {
    const names = typeof value === "object" && value !== null ? Object.keys(value).filter((name) => value[name] !== undefined) : [];
    const [tag] = names;
    if (names.length !== 1 || !Object.hasOwn(shape.cases, tag)) {
        throw mistake(`expected an object with one of the keys ${Object.keys(shape.cases).join(", ")}, found ${names.length === 0 ? found(value) : names.join(", ")}`);
    }
    return { tag, val: inside(tag, shapeOf(shape.cases[tag]), value[tag]) };
}

function inside(name, shape, value) {
    path.push(name);
    const given = check(shape, value);
    path.pop();
    return given;
}

function mistake(reason) {
    return new Failed(`the plugin's answer is wrong: ${reason}`, { field: path.join("/") });
}

/** What was found, without its words: they may be personal. */
function found(value) {
    if (value === undefined) return "nothing";
    if (value === null) return "null";
    if (Array.isArray(value)) return "a list";
    if (typeof value === "number") return `the number ${value} (write String(…))`;
    return { string: "a text", boolean: "true or false", object: "an object" }[typeof value] ?? `a ${typeof value}`;
}
