;; Imports a service of which nobody has heard. It is refused by the import's name before anything of it runs.
(import "other:service/secrets@1.0.0" "read" (func $read (param i32)))
(data (i32.const 512) "\c0")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (call $read (i32.const 0))
  (call $ok (i32.const 512) (i32.const 1)))
