;; Traps at its first call, and would return at its second. No instance is entered again after a trap: it never does.
(global $trapped (mut i32) (i32.const 0))
(data (i32.const 512) "\c0")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (if (global.get $trapped)
    (then (return (call $ok (i32.const 512) (i32.const 1)))))
  (global.set $trapped (i32.const 1))
  unreachable)
