/**
 * Logs in at the sandbox's provider as a browser does: follows redirects with cookies, sends the form.
 * @returns the last address, which it did not open when it is outside of the provider
 */
export async function logInByForm(url: string, name: string, password = name): Promise<string> {
  const cookies = new Map<string, string>();
  const { origin } = new URL(url);
  let at = url;
  let form: string | undefined;
  for (let hop = 0; hop < 12; hop++) {
    const response = await fetch(at, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([key, value]) => `${key}=${value}`).join('; ') },
      ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
    });
    form = undefined;
    for (const each of response.headers.getSetCookie()) {
      const [, key, value] = /^([^=]+)=([^;]*)/.exec(each)!;
      cookies.set(key!, value!);
    }
    const location = response.headers.get('location');
    if (location === null) {
      const page = await response.text();
      if (response.status !== 200 || !page.includes('name="login"'))
        throw new Error(`${at} answered ${response.status}: ${page.slice(0, 300)}`);
      form = new URLSearchParams({ login: name, password }).toString();
      continue;
    }
    at = new URL(location, at).href;
    if (new URL(at).origin !== origin) {
      await fetch(at);
      return at;
    }
  }
  throw new Error('the login does not end');
}
