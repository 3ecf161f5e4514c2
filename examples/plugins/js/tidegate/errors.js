// What a plugin throws to say that an item has no interpretation.

/** The item is authentic, understood, and of no interest: why. */
export class Skip extends Error {
    constructor(reason) {
        super(reason);
        this.name = "Skip";
    }
}

/** The item can't be read: it is parked, visible and replayable. `field` is a JSON pointer; with `retry` it is tried again later. */
export class Failed extends Error {
    constructor(reason, { field, retry = false } = {}) {
        super(reason);
        this.name = "Failed";
        this.field = field;
        this.retry = retry;
    }
}
