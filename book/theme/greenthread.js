// What the book adds to mdBook's pages: the numbers of lines, and commands that can be copied.
"use strict";

// `data-lines` says which lines of its file a listing shows: `12-20,25`.
for (const figure of document.querySelectorAll("figure.listing[data-lines]")) {
    const code = figure.querySelector("pre > code");
    if (!code || figure.dataset.lines.search(/[-,]/) < 0) {
        continue;
    }
    const numbers = figure.dataset.lines.split(",").flatMap((range) => {
        const [from, to] = range.split("-").map(Number);
        return Array.from({ length: (to ?? from) - from + 1 }, (_, index) => from + index);
    });
    const column = document.createElement("span");
    column.className = "line-numbers";
    column.setAttribute("aria-hidden", "true");
    column.textContent = numbers.join("\n");
    code.before(column);
    figure.classList.add("numbered");
}

for (const command of document.querySelectorAll("figcaption code.run")) {
    const button = document.createElement("button");
    button.className = "copy-run";
    button.textContent = "copy";
    button.title = "Copy the command that runs it";
    button.addEventListener("click", async () => {
        try {
            await navigator.clipboard.writeText(command.textContent);
            button.textContent = "copied";
        } catch {
            // Not allowed here: it is marked, and the reader copies it.
            getSelection().selectAllChildren(command);
        }
    });
    command.after(" ", button);
}
