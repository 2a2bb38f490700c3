;; Writes a list of 2^32 - 1 elements in six bytes. It is refused by the bytes that follow; nothing is allocated for it.
(data (i32.const 0) "domain.data.a")
(data (i32.const 2048) "\dd\ff\ff\ff\ff\c0")
(data (i32.const 512) "\c0")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (call $set (i32.const 0) (i32.const 13) (i32.const 2048) (i32.const 6))
  (call $ok (i32.const 512) (i32.const 1)))
