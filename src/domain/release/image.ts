/** The tag of an image reference; undefined when it names a digest only. */
export const tagOf = (image: string): string | undefined => /:([^/:@]+)(?:@|$)/.exec(image)?.[1];
