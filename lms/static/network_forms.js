// A form that is sent without a network leads into the browser's error page, and what was entered may be lost there. So
// the form stays as it is, and the page says so. Forms that the outbox sends are handled before this.

/** Whether a form, sent by a button or null, would leave the page with what was entered. */
export function leavesWithEntries(form, button) {
  return ((button && button.formMethod) || form.method) === "post";
}

/** Keep forms from being sent while there is no network, and open the dialog that says so. */
export function keepForms(dialog) {
  dialog.querySelector("button").addEventListener("click", () => dialog.close());
  addEventListener("submit", (submitted) => {
    const { target, submitter, defaultPrevented } = submitted;
    if (navigator.onLine || defaultPrevented || !leavesWithEntries(target, submitter)) return;
    submitted.preventDefault();
    if (!dialog.open) dialog.showModal();
  });
}
