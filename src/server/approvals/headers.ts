import { secureHeaders } from 'hono/secure-headers';

/**
 * Headers of every answer: no script runs, nobody frames or stores a page, and forms are sent to us only. The referrer
 * stays on this origin; without any, browsers would send no `Origin` with a form.
 */
export const headersOf = (origin: string) =>
  secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
      baseUri: ["'none'"],
    },
    referrerPolicy: 'same-origin',
    xFrameOptions: 'DENY',
    crossOriginResourcePolicy: 'same-origin',
    strictTransportSecurity: origin.startsWith('https:') ? 'max-age=31536000' : false,
    permissionsPolicy: { camera: false, geolocation: false, microphone: false },
  });
