// The token stands after the #, which browsers keep to themselves: opening, prefetching or scanning the link sends nothing.
const token = location.hash.slice(1);

// The keys below `button` are the outcomes that the server answers with. English also stands in the page, for the time before this runs.
const english = {
  title: 'Switch off the second factor',
  intro: 'Nothing has changed yet. To go on, enter your name and your password. Signing in will then need the password alone.',
  notYou: 'You did not ask for this? Close the page and change your password.',
  name: 'Name',
  password: 'Password',
  button: 'Switch off',
  done: 'The second factor is switched off. You can close this page.',
  doneBefore: 'The second factor was switched off with this link. You can close this page.',
  linkBroken: 'This link is not complete. Open it again from the message, or ask for a new one.',
  linkRefused: 'This link was used before, has expired or is not yours. Ask for a new one.',
  passwordRefused: 'Name or password not accepted. Try again.',
  busy: 'Too many people are signing in. Try again in a moment.',
  formRefused: 'This could not be read. Check your name and password.',
  empty: 'Enter your name and your password.',
  wait: 'One moment…',
  unreachable: 'The server cannot be reached. Try again in a moment.',
};
const french = {
  title: 'Désactiver le second facteur',
  intro: 'Rien n’a changé pour l’instant. Pour continuer, saisissez votre nom et votre mot de passe. Le mot de passe suffira ensuite pour se connecter.',
  notYou: 'Vous n’avez rien demandé ? Fermez la page et changez votre mot de passe.',
  name: 'Nom',
  password: 'Mot de passe',
  button: 'Désactiver',
  done: 'Le second facteur est désactivé. Vous pouvez fermer cette page.',
  doneBefore: 'Le second facteur a été désactivé avec ce lien. Vous pouvez fermer cette page.',
  linkBroken: 'Ce lien est incomplet. Ouvrez-le à nouveau depuis le message, ou demandez-en un autre.',
  linkRefused: 'Ce lien a déjà servi, a expiré ou n’est pas le vôtre. Demandez-en un autre.',
  passwordRefused: 'Nom ou mot de passe refusé. Réessayez.',
  busy: 'Trop de connexions en ce moment. Réessayez dans un instant.',
  formRefused: 'La saisie n’a pas pu être lue. Vérifiez votre nom et votre mot de passe.',
  empty: 'Saisissez votre nom et votre mot de passe.',
  wait: 'Un instant…',
  unreachable: 'Le serveur ne répond pas. Réessayez dans un instant.',
};

const language = navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag === 'en' || tag === 'fr') ?? 'en';
const texts = language === 'fr' ? french : english;
const form = document.getElementById('form');
const username = document.getElementById('username');
const password = document.getElementById('password');
const button = form.querySelector('button');
const message = document.getElementById('message');

function say(text, kind) {
  message.textContent = text;
  message.className = kind;
}

function refuse(text) {
  say(text, 'bad');
  (username.value ? password : username).focus();
}

async function ask() {
  const answer = await fetch('disable/confirm', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: username.value, password: password.value, token }),
  });
  return (await answer.json()).outcome;
}

async function submit(event) {
  event.preventDefault();
  for (const field of [username, password]) field.setAttribute('aria-invalid', String(field.value === ''));
  if (!username.value || !password.value) {
    refuse(texts.empty);
    return;
  }

  button.disabled = true;
  say(texts.wait, '');
  const outcome = await ask().catch(() => 'unreachable');
  button.disabled = false;
  password.value = '';
  if (outcome !== 'done') {
    refuse(texts[outcome] ?? texts.unreachable);
    return;
  }

  form.hidden = true;
  say(texts.done, 'good');
  message.focus(); // where it was is gone
  history.replaceState({ done: true }, '', location.pathname); // a used token has no business in the history
}

document.documentElement.lang = language;
document.title = texts.title;
for (const element of document.querySelectorAll('[data-text]')) element.textContent = texts[element.dataset.text];
addEventListener('hashchange', () => location.reload()); // another link was opened in the same tab
form.addEventListener('submit', submit);
if (/^[A-Za-z0-9_-]{43}$/.test(token)) form.hidden = false;
else if (history.state?.done) say(texts.doneBefore, 'good');
else say(texts.linkBroken, 'bad');
