// Runs before the first paint, so that a remembered theme never flashes. A file, for the page's policy forbids inline script.
try {
  const theme = localStorage.getItem("enginehouse.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden; the system's theme then holds.
}
