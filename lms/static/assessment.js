// One trainee's results: all skills passed in one tap, and the word about examiners who teach here.
const form = document.querySelector("[data-results]");

if (form) {
  const all = form.querySelector("[data-all-passed]");
  if (all) {
    all.hidden = false;
    all.addEventListener("click", () => {
      form.querySelectorAll("[data-passed]").forEach((radio) => { radio.checked = true; });
    });
  }
  const caution = form.querySelector("[data-teaching]");
  const examiner = form.elements.examiner;
  if (caution && examiner) {
    const teaching = new Set(caution.dataset.teaching.split(" "));
    examiner.addEventListener("change", () => { caution.hidden = !teaching.has(examiner.value); });
  }
}
