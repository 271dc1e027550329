// The table of who asked is short until it is wanted whole.
{
  const more = document.getElementById("more");
  if (more) {
    const table = more.previousElementSibling.querySelector("table");
    table.classList.add("short");
    more.hidden = false;
    more.addEventListener("click", () => {
      table.classList.remove("short");
      more.hidden = true;
      table.querySelector(".more summary, .more th").focus();
    });
  }
}
