;; Writes two floats that are no numbers, each with bits of its own. Both are stored, and given back, as the one NaN: the bits
;; are no way to hide anything.
(data (i32.const 0) "domain.data.a")
(data (i32.const 64) "\cb\7f\f0\00\00\00\00\00\01")
(data (i32.const 80) "\cb\ff\ff\ff\ff\ff\ff\ff\ff")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (call $set (i32.const 0) (i32.const 13) (i32.const 64) (i32.const 9))
  (call $set (i32.const 0) (i32.const 13) (i32.const 80) (i32.const 9))
  (call $get (i32.const 0) (i32.const 13) (i32.const 128))
  (call $ok (i32.load (i32.const 132)) (i32.load (i32.const 136))))
