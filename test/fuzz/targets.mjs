// What is fuzzed: each target is a file of this folder, `sources` what it is linked with.

export const targets = [
  { name: 'spec', sources: ['core/spec.cc', 'core/step.cc'] },
  { name: 'call', sources: ['cell/call_parts.cc'] },
  {
    name: 'report',
    sources: ['addon/report_receiver.cc', 'core/descriptor_message.cc', 'core/step.cc'],
  },
  { name: 'text', sources: ['addon/text.cc'] },
  { name: 'descriptors', sources: ['core/descriptor_message.cc'] },
  { name: 'maps', sources: ['cell/memory_map.cc'] },
  { name: 'pagemap', sources: [] },
  { name: 'process_stat', sources: ['launcher/process_stat.cc', 'core/process_memory.cc'] },
  { name: 'status', sources: ['core/process_memory.cc'] },
  { name: 'apparmor_label', sources: ['core/apparmor.cc', 'core/step.cc'] },
];
