;; The allocator gives the same address for everything. The guest garbles its own memory, and only that: it hears its
;; arguments where the name of the process was, and the run commits.
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (call $ok (local.get $process) (i32.const 1)))
(func (export "cabi_realloc") (param $old i32) (param $old_len i32) (param $align i32) (param $len i32) (result i32)
  (i32.const 2048))
