// Who types into the sidebar's search looks for what is folded away too.
const field = /** @type {HTMLInputElement | null} */ (document.getElementById("nav-filter"));
const folded = [.../** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll("#nav-sidebar details.folded"))].filter((details) => !details.open);
const follow = () => folded.forEach((details) => (details.open = field.value !== ""));

if (field) {
  field.addEventListener("input", follow);
  follow();
}
