# What binding.gyp's targets get in the build of test:native, beside what they have. node-gyp includes a file of this
# name that it finds beside binding.gyp.
{
  'variables': {
    'checked': ['-g', '-O1', '-fno-omit-frame-pointer'],
    # What it finds ends the process: an instruction that can't be, so that static programs and confined ones need
    # nothing to report it by.
    'undefined': ['-fsanitize=undefined', '-fno-sanitize=vptr', '-fsanitize-undefined-trap-on-error'],
  },
  'target_defaults': {
    'target_conditions': [
      ['_target_name=="codejail"', {
        'cflags_cc': [
          '<@(checked)', '-fsanitize=address,undefined', '-fno-sanitize=vptr', '-fno-sanitize-recover=all',
        ],
        'ldflags': ['-fsanitize=address,undefined'],
        # AddressSanitizer looks into the functions that fortified ones replace.
        'cflags_cc!': ['-D_FORTIFY_SOURCE=2'],
      }, {
        'cflags_cc': ['<@(checked)', '<@(undefined)'],
        'ldflags!': ['-s'],
      }],
    ],
  },
}
