;; Reads a map that holds signals, meta and private keys beside its own. It is given what is in its grant's zone, and says
;; what it was given.
(data (i32.const 0) "domain.data")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (call $get (i32.const 0) (i32.const 11) (i32.const 64))
  (call $ok (i32.load (i32.const 68)) (i32.load (i32.const 72))))
