;; Draws random numbers that it was not granted. They follow from the guest, the process and the arguments: every call and
;; every host process draws the same.
(import "wasi:random/random@0.2.0" "get-random-u64" (func $random (result i64)))
(data (i32.const 64) "\cf")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (i64.store (i32.const 65) (call $random))
  (call $ok (i32.const 64) (i32.const 9)))
