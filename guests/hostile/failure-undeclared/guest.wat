;; Fails with an error that its contract does not list, and 60,000 bytes long. That is a violation of the contract.
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (memory.fill (i32.const 2048) (i32.const 0x61) (i32.const 60000))
  (call $fail (i32.const 2048) (i32.const 60000) (i32.const 2048) (i32.const 60000)))
