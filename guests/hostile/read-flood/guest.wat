;; Reads for ever. The limit on reads ends it.
(data (i32.const 0) "domain.data.a")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (loop $on
    (call $len (i32.const 0) (i32.const 13) (i32.const 64))
    (br $on))
  unreachable)
