// Pictures, known by their first bytes: what code has left may have any name.

// In hexadecimal digits.
const SIGNATURES = {
  'image/png': /^89504e470d0a1a0a/,
  'image/jpeg': /^ffd8ff/,
  'image/gif': /^47494638(?:37|39)61/,
  'image/webp': /^52494646.{8}57454250/,
};
const SIGNATURE_BYTES = 12;

/** The kinds that are shown. */
export type PictureType = keyof typeof SIGNATURES;

/** All of them. */
export const PICTURE_TYPES = Object.keys(SIGNATURES) as readonly PictureType[];

/** What kind of a picture it is; undefined where it is none. */
export function pictureType(bytes: Buffer): PictureType | undefined {
  const begin = bytes.toString('hex', 0, SIGNATURE_BYTES);
  return PICTURE_TYPES.find((type) => SIGNATURES[type].test(begin));
}
