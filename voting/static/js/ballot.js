// Sending a ballot: the button says that it was pressed. A second press is not needed and not harmful, for the ballot id
// makes it the same ballot; so the button comes back by itself, and after a lost answer the citizen can simply try again.
const PATIENCE_MS = 8000;

export function followBallot() {
  for (const form of document.querySelectorAll("[data-ballot]")) {
    const button = form.querySelector("button");
    const words = button.textContent;
    const calm = () => {
      button.removeAttribute("aria-disabled");
      button.textContent = words;
    };
    form.addEventListener("submit", (event) => {
      if (button.getAttribute("aria-disabled")) {
        event.preventDefault();
        return;
      }
      button.setAttribute("aria-disabled", "true");
      button.textContent = form.dataset.sending;
      setTimeout(calm, PATIENCE_MS);
    });
    window.addEventListener("pageshow", calm);
  }
}
