// The columns of an imported file: when another column is chosen, the values of the column of attendance are shown
// anew, as the button `data-look` does without JavaScript.
const form = document.querySelector("[data-columns]");

async function showValues() {
  const sent = new FormData(form);
  sent.append("look", "1");
  const answer = await fetch(form.action, { method: "POST", body: sent, headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("values");
  if (fresh) document.getElementById("values").replaceChildren(...fresh.childNodes);
}

form?.addEventListener("change", (event) => {
  if (!event.target.name?.startsWith("column-")) return;
  showValues().catch(() => {
    // No network for a moment: the button is still there.
  });
});
