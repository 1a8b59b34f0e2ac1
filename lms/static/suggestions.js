// Offers names while one is typed, from the address that the field's list names. Without it, the whole name is typed.
const WAIT_MS = 200;

for (const field of document.querySelectorAll("input[data-suggest]")) {
  const list = field.list;
  if (!list?.dataset.address) continue; // few enough to be on the page
  let timer;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const text = field.value.trim();
      if (!text || text === list.dataset.asked) return;
      list.dataset.asked = text;
      try {
        const answer = await fetch(`${list.dataset.address}?text=${encodeURIComponent(text)}`, { headers: { Accept: "application/json" } });
        if (!answer.ok || text !== field.value.trim()) return;
        list.replaceChildren(...(await answer.json()).map((name) => Object.assign(document.createElement("option"), { value: name })));
      } catch {
        list.dataset.asked = "";
      }
    }, WAIT_MS);
  });
}
