// Before anything is drawn: the theme that was chosen here or in the admin ("auto", "light", "dark").
(() => {
  const root = document.documentElement;
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => localStorage.getItem("theme") ?? "auto";
  const apply = () => {
    const isDark = chosen() === "dark" || (chosen() === "auto" && prefersDark.matches);
    root.dataset.theme = isDark ? "dark" : "light";
    root.dataset.themeChoice = chosen();
    root.dispatchEvent(new CustomEvent("themechange"));
  };
  prefersDark.addEventListener("change", apply);
  addEventListener("storage", apply);
  root.addEventListener("themechosen", (event) => {
    localStorage.setItem("theme", /** @type {CustomEvent<string>} */ (event).detail);
    apply();
  });
  apply();
})();
