// The filters are folded on a narrow screen, where they would be the whole first sight. Runs while the page is read, so
// that nothing moves; without it they are open.
{
  const filters = document.currentScript.closest("details");
  const narrow = matchMedia("(max-width: 50rem)");
  const follow = () => {
    filters.open = !narrow.matches;
  };
  follow();
  narrow.addEventListener("change", follow);
}
