"use strict";

// The game: the reader makes the worker's moves in the graph of the model, and the page those of the sibling.

const $ = (id) => document.getElementById(id);
const NAMES = [...GRAPH.names];
const LIMIT = 3;
const FIRST = GRAPH.states.length - 1;

// A number between 0 and 1, the same ones for the same `?seed=`.
let seed = Number(new URLSearchParams(location.search).get("seed") ?? Date.now()) >>> 0;
function random() {
    seed = (seed + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}

// A state of the graph, in words.
function state(number) {
    const [text, safe, advice, moves] = GRAPH.states[number];
    const parts = text.split("|");
    if (parts.length === 1) {
        const [end, thread] = text.split(" ");
        return { number, end, thread, safe, advice, moves };
    }
    const [queue, inbox, parked, turns, waited, worker, bell, looks] = parts;
    return {
        number, safe, advice, moves, queue: [...queue], inbox: [...inbox], parked: [...parked], turns, waited, worker,
        bell: bell === "1", looks: Number(looks),
    };
}

// What was, for taking back: the states, and the lines of the log.
let past = [];
let now;
let log = [];
let before;
let timer;
let advised = false;
let isShort = location.search.includes("fast");

function start() {
    clearTimeout(timer);
    past = [];
    log = [];
    before = undefined;
    now = state(FIRST);
    advised = false;
    show("All three are ready, and you have just woken up. What do you do first?");
}

// What the sibling does. It may answer one of those that wait, when it likes. It likes what hurts.
function sibling(outcomes, move) {
    const unsafe = outcomes.filter(([, next]) => !GRAPH.states[next][1]);
    if (unsafe.length > 0) {
        return unsafe[Math.floor(random() * unsafe.length)];
    }
    const answers = outcomes.filter(([answered]) => answered);
    const quiet = outcomes.find(([answered]) => !answered);
    if (answers.length === 0) {
        return quiet;
    }
    // It takes its time while the worker has others to run. Right behind a look that has found nothing, when the worker
    // thinks of sleeping, an answer is worst.
    const isIdle = now.queue.length === 0;
    const likely = { look: isIdle && now.inbox.length === 0 ? 0.8 : 0.15, flag: 0.4 }[move] ?? 0.15;
    return quiet && random() >= likely ? quiet : answers[Math.floor(random() * answers.length)];
}

function can(move) {
    return !now.end && now.worker !== "asleep" && move in now.moves;
}

function play(move) {
    if (!now.moves[move] || now.end) {
        return;
    }
    advised = false;
    if (move !== "wait") {
        past.push([now, log.length, before]);
    }
    before = now;
    const [answered, next] = sibling(now.moves[move], move);
    now = state(next);
    const said = said_of(move, before);
    log.push({ text: said, move });
    if (answered) {
        const isUp = move === "flag" || move === "sleep" || move === "wait" ||
            (move === "look" && before.worker === "flag" && before.inbox.length === 0);
        const what = isUp ? "Your flag was up, so it rang." : "Your flag was down, so it rang for nobody.";
        log.push({ text: `Unseen by you, your sibling put ${answered} into your inbox. ${what}`, isUnseen: true });
    }
    if (now.end) {
        show(ending());
    } else if (now.worker === "asleep") {
        show("You sleep. Nothing more happens on this processor until the bell rings.");
        timer = setTimeout(() => play("wait"), isShort ? 20 : 1400);
    } else if (move === "wait") {
        show("The bell rings, and you wake up. Something is in your inbox.");
    } else if (move === "sleep") {
        show("You lie down, and the bell has rung already: you don’t sleep at all. Why did it ring?");
    } else {
        show(said);
    }
}

// What is to be seen of a move.
function said_of(move, was) {
    const found = was.inbox;
    switch (move) {
        case "look":
            return found?.length > 0
                ? `You look into the inbox, and find ${found.join(" and ")}. Ready, and in your queue now.`
                : "You look into the inbox. It is empty.";
        case "flag": return "You raise your flag: from now on, your sibling rings when it puts something into your inbox.";
        case "sleep": return "You lie down to sleep.";
        case "wait": return "You slept, and the bell rang.";
        default: return ran(move, was);
    }
}

function ran(name, was) {
    const index = NAMES.indexOf(name);
    const left = Number(was.turns[index]) - 1;
    if (left === 0) {
        return `${name} has had its last turn, and has ended.`;
    }
    return name === "A"
        ? "A has computed for a turn, and yields. It is ready again."
        : `${name} has asked your sibling for something, and parks until the answer comes.`;
}

function ending() {
    const { end, thread } = now;
    const slept = log.filter(({ move }) => move === "sleep").length;
    const times = ["never slept", "slept once", "slept twice"][slept] ?? `slept ${slept} times`;
    return {
        won: `All three have ended. You ${times}, and no thread was forgotten. (A worker that looks, raises its flag and looks again can’t
            lose, whatever the sibling does.)`,
        starved: `${thread} was ready for too long while others had their turns, and its client has hung up. Where was it:
            in your queue, or in an inbox that you didn’t look into?`,
        slept: `You sleep, and ${thread} is ready in your own queue. Nobody will wake you for it.`,
        lost: `A lost wake-up. ${thread} is in your inbox, and your sibling has looked at your flag before it was up, so it
            rang for nobody. You sleep for ever.`,
        hot: `You have looked three times in a row for nothing. The processor is hot, the battery empty, and another
            program could have used both.`,
    }[end];
}

function element(name, className, text) {
    const made = document.createElement(name);
    made.className = className ?? "";
    made.textContent = text ?? "";
    return made;
}

function thread(name, shown, isQueued) {
    const index = NAMES.indexOf(name);
    const item = element("li", "of-" + name);
    item.append(element("b", "", name));
    const turns = Number(shown.turns[index]);
    if (turns > 0) {
        item.append(element("span", "", turns === 1 ? "1 turn left" : `${turns} turns left`));
    }
    if (isQueued) {
        const waited = Number(shown.waited[index]);
        const pips = element("span", "pips", "●".repeat(waited) + "○".repeat(GRAPH.patience - waited));
        pips.title = `has waited for ${waited} turns of others; more than ${GRAPH.patience} are too many`;
        pips.setAttribute("role", "img");
        pips.setAttribute("aria-label", pips.title);
        item.append(pips);
    }
    return item;
}

function show(text) {
    $("text").textContent = text.replace(/\s+/g, " ");
    // An end has no threads: what was before it is shown.
    const shown = now.end ? before : now;
    const list = (id, names, isQueued) => {
        const items = names.map((name) => thread(name, shown, isQueued));
        $(id).replaceChildren(...(items.length > 0 ? items : [element("li", "none", "none")]));
    };
    list("queue", shown.queue, true);
    list("away", NAMES.filter((name) => shown.parked.includes(name) || shown.inbox.includes(name)));
    list("ended", NAMES.filter((_, index) => shown.turns[index] === "0"));
    const sleeps = now.worker === "asleep" || ["lost", "slept"].includes(now.end);
    const rows = [
        ["You are", sleeps ? "asleep" : "awake", sleeps ? "up" : ""],
        ["Your flag", sleeps || shown.worker === "flag" ? "up" : "down", sleeps || shown.worker === "flag" ? "up" : ""],
        ["Looks in a row for nothing", `${now.end === "hot" ? LIMIT : shown.looks} of ${LIMIT}`, ""],
    ];
    $("you").replaceChildren(...rows.flatMap(([name, value, mark]) => [element("dt", "", name), element("dd", mark, value)]));
    $("log").replaceChildren(...log.flatMap((line) => {
        if (!line.isUnseen) {
            return [element("li", "", line.text)];
        }
        return now.end ? [element("li", "unseen shown", line.text)] : [];
    }));
    $("log").scrollTop = $("log").scrollHeight;
    for (const button of document.querySelectorAll("[data-move]")) {
        button.disabled = !can(button.dataset.move);
        button.classList.toggle("advised", advised && now.advice === button.dataset.move);
    }
    $("undo").disabled = past.length === 0;
    $("hint").disabled = Boolean(now.end) || now.worker === "asleep";
    document.body.dataset.state = now.number;
    if (now.end) {
        document.body.dataset.end = now.end;
    } else {
        delete document.body.dataset.end;
    }
}

function undo() {
    if (past.length === 0) {
        return;
    }
    clearTimeout(timer);
    let length;
    [now, length, before] = past.pop();
    log = log.slice(0, length);
    advised = false;
    show("You have taken that back. What do you do instead?");
}

function hint() {
    if (now.end || now.worker === "asleep") {
        return;
    }
    advised = true;
    const reasons = {
        look: now.queue.length > 0
            ? "A careful worker looks before each turn: a thread in the inbox waits as well."
            : now.worker === "flag"
                ? "A careful worker looks once more, now that its flag is up: an answer may have come before."
                : "A careful worker looks whether there is anything to do.",
        flag: "A careful worker says that it is about to sleep, before it does.",
        sleep: "The flag is up, and the inbox was empty after that. If an answer comes now, the bell rings. Sleep.",
    };
    show(reasons[now.advice] ?? `A careful worker runs the thread that has waited for longest: ${now.advice}.`);
}

for (const button of document.querySelectorAll("[data-move]")) {
    button.addEventListener("click", () => play(button.dataset.move));
}
$("undo").addEventListener("click", undo);
$("hint").addEventListener("click", hint);
$("new").addEventListener("click", start);
document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) {
        return;
    }
    const moves = { 1: "A", 2: "B", 3: "C", l: "look", f: "flag", s: "sleep" };
    const others = { u: undo, h: hint, n: start };
    const key = event.key.toLowerCase();
    if (key in moves) {
        event.preventDefault();
        if (can(moves[key])) {
            play(moves[key]);
        }
    } else if (key in others) {
        event.preventDefault();
        others[key]();
    }
});

start();
