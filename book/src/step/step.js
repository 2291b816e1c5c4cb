"use strict";

// Plays the recording: the states of the machine, one after each instruction, in three scenes that follow each other.

const $ = (id) => document.getElementById(id);
const WHO = ["own", "one"];
const WORDS = 9;

const states = RECORDING.scenes.flatMap((scene, number) =>
    scene.states.map((state, index) => ({ ...state, scene, number, before: scene.states[index - 1] })));
const begins = RECORDING.scenes.map((scene) => states.findIndex((state) => state.scene === scene));
let at = 0;

// The instructions of `switch`, in their order.
const instructions = new Map();
for (const state of states) {
    if (state.place.startsWith("switch+")) {
        instructions.set(Number(state.place.slice("switch+".length)), state.instruction);
    }
}
const places = [...instructions.keys()].sort((a, b) => a - b);
function element(name, className, text) {
    const made = document.createElement(name);
    made.className = className ?? "";
    made.textContent = text ?? "";
    return made;
}

// Text with `code` in it.
function withCode(text) {
    return text.split("`").map((part, index) => (index % 2 ? element("code", "", part) : part));
}

// A number, in the colour of what it points to, with the part that is alike for all of them in the background.
function number(value, scene) {
    const symbol = RECORDING.symbols[value];
    if (symbol) {
        return [element("span", "of-code", symbol.replace(/\+0$/, ""))];
    }
    if (value.length < 9) {
        return ["0x" + value];
    }
    const distance = (stack) => {
        const gap = BigInt("0x" + value) - BigInt("0x" + scene.lowest[stack]);
        return gap < 0n ? -gap : gap;
    };
    const owner = [0, 1].find((stack) => distance(stack) < 0x10000n);
    const span = element("span", owner === undefined ? "" : "of-" + WHO[owner]);
    span.append(element("span", "prefix", "0x" + value.slice(0, -4)), value.slice(-4));
    return [span];
}

// The line of the source that an instruction was made from.
function rust(place, name) {
    const number = RECORDING.lines[place];
    const item = element(name, "rust");
    item.append(element("span", "place", String(number)), element("code", "", RECORDING.source[number]));
    item.title = RECORDING.source[number];
    return item;
}

function showCode(state) {
    const list = $("instructions");
    list.replaceChildren();
    // The instruction that was just executed, or the first one.
    const shown = (state.before ?? state).place;
    const heading = (place, number) => {
        const item = rust(place, "li");
        if (RECORDING.lines[shown] === number) {
            item.classList.add("now");
        }
        list.append(item);
    };
    const line = (place, label, instruction) => {
        const item = element("li");
        item.append(element("span", "place", label), element("span", "", instruction));
        if (state.before?.place === place) {
            item.classList.add("done");
            item.setAttribute("aria-current", "step");
        }
        if (state.place === place) {
            item.classList.add("upcoming");
        }
        list.append(item);
        return item;
    };
    let before;
    for (const place of places) {
        const number = RECORDING.lines["switch+" + place];
        if (number !== before) {
            heading("switch+" + place, number);
            before = number;
        }
        line("switch+" + place, String(place), instructions.get(place));
    }
    const last = state.scene.states.at(-1);
    const [name, offset] = last.place.split("+");
    list.append(element("li", "part", "Where it goes on: " + name));
    heading(last.place, RECORDING.lines[last.place]);
    line(last.place, offset, last.instruction).classList.add("elsewhere");
}

function showRegisters(state) {
    const list = $("registers");
    list.replaceChildren();
    RECORDING.registers.forEach((name, index) => {
        const value = state.registers[index];
        const changed = state.before && state.before.registers[index] !== value ? "changed" : "";
        const description = element("dd", changed);
        description.id = "register-" + name;
        description.title = "0x" + value;
        description.append(...number(value, state.scene));
        list.append(element("dt", changed, name), description);
    });
    const kept = $("kept");
    kept.className = state.before && state.before.kept !== state.kept ? "changed" : "";
    kept.replaceChildren(...number(state.kept, state.scene));
    kept.title = "0x" + state.kept;
}

function showStack(state, stack) {
    const table = document.querySelector(`[data-stack="${stack}"]`);
    const { scene } = state;
    const lowest = BigInt("0x" + scene.lowest[stack]);
    const pointer = Number((BigInt("0x" + state.pointers[stack]) - lowest) / 8n);
    const top = Number((BigInt("0x" + state.registers[1]) - lowest) / 8n);
    const active = top >= 0 && top <= WORDS;
    table.classList.toggle("active", active);
    const body = table.tBodies[0];
    body.replaceChildren();
    const row = (index) => {
        const made = body.insertRow();
        const here = index === pointer;
        made.className = here ? "here" : "";
        made.append(element("td", "pointer", here ? (active ? "rsp ▸" : "left ▸") : ""));
        return made;
    };
    const rest = row(WORDS);
    rest.classList.add("rest");
    const isNew = stack === 1 && state.number === 0;
    rest.append(element("td", "word", isNew ? "the end of its memory" : "⋯ the callers"));
    rest.append(element("td", "address"));
    for (let index = WORDS - 1; index >= 0; index--) {
        const made = row(index);
        const value = state.words[stack][index];
        const used = index >= pointer;
        made.classList.add(used ? "used" : "free");
        const word = element("td", "word");
        if (state.before && state.before.words[stack][index] !== value) {
            word.classList.add("changed");
        }
        const meaning = state.meanings[stack][index];
        if (used || meaning) {
            word.append(...number(value, scene), element("span", "label", ""));
            word.lastChild.append(...withCode(used ? meaning : `was ${meaning}`));
        } else {
            word.append(element("span", "label", "free"));
        }
        const address = (lowest + 8n * BigInt(index)).toString(16);
        made.append(word, element("td", "address", address.slice(-4)));
    }
}

function show(step) {
    at = Math.max(0, Math.min(states.length - 1, step));
    const state = states[at];
    const done = state.before ? [element("code", "instruction", state.before.instruction), " "] : [];
    $("text").replaceChildren(...done, ...withCode(state.text));
    const shown = (state.before ?? state).place;
    $("line").replaceChildren(element("span", "", state.before ? "made from line " : "next is line "));
    $("line").append(...rust(shown, "span").childNodes);
    $("slider").value = at;
    $("slider").setAttribute("aria-valuetext", `step ${at} of ${states.length - 1}`);
    $("count").textContent = `Step ${at} of ${states.length - 1}`;
    if (at === states.length - 1) {
        pause();
    }
    $("first").disabled = $("back").disabled = at === 0;
    $("last").disabled = $("next").disabled = at === states.length - 1;
    [...$("scenes").children].forEach((button, index) =>
        button.setAttribute("aria-current", String(index === state.number)));
    showCode(state);
    showRegisters(state);
    showStack(state, 0);
    showStack(state, 1);
    document.body.dataset.step = at;
}

// Plays on its own: one step after the other, at the chosen speed.
let timer;

function pause() {
    clearTimeout(timer);
    timer = undefined;
    showPlaying();
}

function play() {
    if (at === states.length - 1) {
        show(0);
    }
    wait();
    showPlaying();
}

function wait() {
    clearTimeout(timer);
    timer = setTimeout(() => {
        wait();
        show(at + 1);
    }, Number($("speed").value));
}

function showPlaying() {
    const isPlaying = timer !== undefined;
    $("play").setAttribute("aria-label", isPlaying ? "Pause" : "Play");
    document.body.classList.toggle("playing", isPlaying);
    // A text that changes by itself isn't read out each time.
    $("text").setAttribute("aria-live", isPlaying ? "off" : "polite");
}

function playOrPause() {
    if (timer === undefined) {
        play();
    } else {
        pause();
    }
}

// One speed up or down.
function hurry(by) {
    const speed = $("speed");
    speed.selectedIndex = Math.max(0, Math.min(speed.options.length - 1, speed.selectedIndex + by));
    if (timer !== undefined) {
        wait();
    }
}

// The reader has taken over.
function go(step) {
    pause();
    show(step);
}

RECORDING.scenes.forEach((scene, index) => {
    const button = element("button", "", `${index + 1}. ${scene.title}`);
    button.addEventListener("click", () => go(begins[index]));
    $("scenes").append(button);
});
$("slider").max = states.length - 1;
$("slider").addEventListener("input", () => go(Number($("slider").value)));
$("first").addEventListener("click", () => go(0));
$("back").addEventListener("click", () => go(at - 1));
$("next").addEventListener("click", () => go(at + 1));
$("last").addEventListener("click", () => go(states.length - 1));
$("play").addEventListener("click", playOrPause);
$("speed").addEventListener("change", () => hurry(0));
document.addEventListener("keydown", (event) => {
    // The arrows choose among the speeds, and a button has its own meaning for the space bar.
    const within = event.target.tagName;
    if (event.altKey || event.ctrlKey || event.metaKey || within === "SELECT") {
        return;
    }
    const steps = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: states.length - 1 };
    const others = { "+": () => hurry(1), "-": () => hurry(-1) };
    if (within !== "BUTTON" && within !== "A") {
        others[" "] = playOrPause;
    }
    if (event.key in steps) {
        event.preventDefault();
        go(steps[event.key]);
    } else if (event.key in others) {
        event.preventDefault();
        others[event.key]();
    }
});

show(Number(new URLSearchParams(location.search).get("step")) || 0);
