// Counts down to the opening of check-in, then loads the page anew. Without this script the page does so each half
// minute.
const place = document.querySelector("[data-countdown]");
if (place) {
  const ends = performance.now() + Number(place.dataset.countdown) * 1000;
  const timer = setInterval(() => {
    const left = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
    place.textContent = place.dataset.text
      .replace("{minutes}", Math.floor(left / 60))
      .replace("{seconds}", left % 60);
    if (left === 0) {
      clearInterval(timer);
      location.reload();
    }
  }, 1000);
}
