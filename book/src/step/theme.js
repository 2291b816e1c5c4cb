// The theme that the reader has chosen for the book, if any; else that of the system, which the style sheet knows.
try {
    const chosen = localStorage.getItem("mdbook-theme");
    const themes = { light: "light", rust: "light", coal: "dark", navy: "dark", ayu: "dark" };
    if (themes[chosen]) {
        document.documentElement.dataset.theme = themes[chosen];
    }
} catch {
    // Without storage there is no choice.
}
