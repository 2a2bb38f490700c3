;; Writes a map that has one key twice. It is refused: which of the two holds would be a matter of who reads it.
(data (i32.const 0) "domain.data.a")
(data (i32.const 2048) "\82\a1a\01\a1a\02")
(data (i32.const 512) "\c0")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (call $set (i32.const 0) (i32.const 13) (i32.const 2048) (i32.const 7))
  (call $ok (i32.const 512) (i32.const 1)))
