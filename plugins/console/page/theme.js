/* SPDX-License-Identifier: Apache-2.0 */
/* Before anything is drawn: light, dark, or what the system says. No module, since those run late and the page would flash. */
(() => {
  try {
    const chosen = localStorage.getItem("paddock.theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch { /* storage is switched off: what the system says */ }
})();
