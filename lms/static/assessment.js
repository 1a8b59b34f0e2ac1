// One trainee's results: all skills passed in one tap, and a caution where the examiner also teaches the offering.
const form = document.querySelector("[data-results]");

if (form) {
  const allPassed = form.querySelector("[data-all-passed]");
  if (allPassed) {
    allPassed.hidden = false;
    allPassed.addEventListener("click", () => {
      form.querySelectorAll("[data-passed]").forEach((radio) => { radio.checked = true; });
    });
  }
  const caution = form.querySelector("[data-teaching]");
  const examiner = form.elements.examiner;
  if (caution && examiner) {
    const teachers = new Set(caution.dataset.teaching.split(" "));
    examiner.addEventListener("change", () => { caution.hidden = !teachers.has(examiner.value); });
  }
}
