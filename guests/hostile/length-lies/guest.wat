;; Gives the host a value of 4 GiB in a memory of 64 KiB. The call traps, and nothing is allocated for it.
(data (i32.const 0) "domain.data.a")
(data (i32.const 512) "\c0")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (call $set (i32.const 0) (i32.const 13) (i32.const 512) (i32.const -1))
  (call $ok (i32.const 512) (i32.const 1)))
