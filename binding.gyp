{
  'variables': {
    'core_sources': [
      'native/core/apparmor.cc',
      'native/core/copy.cc',
      'native/core/credentials.cc',
      'native/core/filesystem.cc',
      'native/core/id_map.cc',
      'native/core/landlock.cc',
      'native/core/resource_limits.cc',
      'native/core/seccomp.cc',
      'native/core/spec.cc',
      'native/core/step.cc',
    ],
    'warnings': [
      '-Wall', '-Wextra', '-Wpedantic', '-Wshadow', '-Wconversion', '-Wno-missing-field-initializers',
    ],
    'hardening': [
      '-fstack-protector-strong', '-fstack-clash-protection', '-U_FORTIFY_SOURCE', '-D_FORTIFY_SOURCE=2', '-O2',
    ],
  },
  'target_defaults': {
    'cflags_cc': ['-std=c++17', '<@(warnings)', '<@(hardening)'],
    'cflags_cc!': ['-std=gnu++17', '-std=gnu++20', '-fno-exceptions'],
    'include_dirs': ['native/core'],
    'ldflags': ['-Wl,-z,relro,-z,now,-z,noexecstack'],
  },
  'targets': [
    {
      'target_name': 'codejail',
      'sources': [
        'native/addon/addon.cc',
        'native/addon/collect.cc',
        'native/addon/jail_process.cc',
        'native/addon/jail_processes.cc',
        'native/addon/lease.cc',
        'native/addon/process_end.cc',
        'native/addon/spawn.cc',
        'native/addon/spawn_thread.cc',
        'native/addon/spec_builder.cc',
        'native/addon/users.cc',
        'native/core/landlock.cc',
        'native/core/spec.cc',
        'native/core/step.cc',
      ],
      'defines': ['NAPI_VERSION=8', 'NAPI_DISABLE_CPP_EXCEPTIONS', 'NODE_ADDON_API_DISABLE_DEPRECATED',
        # A worker that is being terminated can't be thrown into: that must not abort the process.
        'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
      ],
      'cflags_cc': [
        '-fno-exceptions',
        # As a system directory: its headers are not held to this project's warnings.
        '-isystem', "<!(node -p \"require('node:path').dirname(require.resolve('node-addon-api'))\")",
      ],
      'dependencies': ['codejail-launcher', 'codejail-probe'],
    },
    {
      'target_name': 'codejail-launcher',
      'type': 'executable',
      'sources': [
        '<@(core_sources)',
        'native/launcher/launcher.cc',
        'native/launcher/program.cc',
        'native/launcher/report_channel.cc',
        'native/launcher/supervisor.cc',
        'native/launcher/sweep.cc',
        'native/launcher/usage.cc',
      ],
      'cflags_cc': ['-fno-exceptions', '-fno-rtti', '-fPIE', '-ffunction-sections', '-fdata-sections'],
      'ldflags': ['-static-pie', '-Wl,--gc-sections', '-s'],
    },
    {
      'target_name': 'codejail-probe',
      'type': 'executable',
      'sources': [
        'native/probe/check.cc',
        'native/probe/files.cc',
        'native/probe/identity.cc',
        'native/probe/kernel.cc',
        'native/probe/limits.cc',
        'native/probe/network.cc',
        'native/probe/probe.cc',
        'native/probe/processes.cc',
      ],
      'cflags_cc': ['-fno-exceptions', '-fno-rtti', '-fPIE', '-ffunction-sections', '-fdata-sections'],
      'ldflags': ['-static-pie', '-Wl,--gc-sections', '-s'],
    },
  ],
}
