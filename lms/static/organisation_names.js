// Offers names of organisations while one is typed. Without it, the whole name is typed.
const WAIT_MS = 200;

for (const field of document.querySelectorAll("input[data-suggest]")) {
  const list = field.list;
  let timer;
  let asked = "";
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const text = field.value.trim();
      if (!text || text === asked) return;
      asked = text;
      try {
        const answer = await fetch(`${list.dataset.address}?text=${encodeURIComponent(text)}`, { headers: { Accept: "application/json" } });
        if (!answer.ok || text !== field.value.trim()) return;
        list.replaceChildren(...(await answer.json()).map((name) => Object.assign(document.createElement("option"), { value: name })));
      } catch {
        asked = "";
      }
    }, WAIT_MS);
  });
}
