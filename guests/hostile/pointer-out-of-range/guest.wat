;; Gives the host a path that lies behind the end of its memory. The call traps.
(data (i32.const 512) "\c0")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (drop (call $remove (i32.const -8) (i32.const 11)))
  (call $ok (i32.const 512) (i32.const 1)))
