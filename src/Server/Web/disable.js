// The token stands after the #, which browsers keep to themselves: opening, prefetching or scanning the link sends nothing.
const token = location.hash.slice(1);
const form = document.getElementById('form');
const message = document.getElementById('message');
const button = form.querySelector('button');

function say(text, bad) {
  message.textContent = text;
  message.className = bad ? 'bad' : '';
}

function end(text) {
  form.hidden = true;
  document.getElementById('intro').hidden = true;
  say(text, false);
  history.replaceState(null, '', location.pathname); // a used token has no business in the history
}

if (!/^[A-Za-z0-9_-]{43}$/.test(token)) {
  form.hidden = true;
  say('This link is not complete. Open it again from the message, or ask for a new one.', true);
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  if (!form.username.value || !form.password.value) {
    say('Enter your name and your password.', true);
    (form.username.value ? form.password : form.username).focus();
    return;
  }
  button.disabled = true;
  say('One moment…', false);
  try {
    const answer = await fetch('/disable/confirm', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: form.username.value, password: form.password.value, token }),
    });
    const { done, text } = await answer.json();
    if (done) end(text);
    else say(text, true);
  } catch {
    say('The server cannot be reached. Try again in a moment.', true);
  }
  form.password.value = '';
  button.disabled = false;
});
