// Buttons in pieces of HTML tell the server what to do, and with which picture.
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-do]');
  if (button) trigger('click', { what: button.dataset.do, key: button.dataset.key });
});
