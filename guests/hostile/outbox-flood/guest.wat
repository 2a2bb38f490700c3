;; Sends for ever. The limit on messages ends it, and none of them is sent.
(data (i32.const 0) "topic")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (loop $on
    (call $send (i32.const 0) (i32.const 5) (i32.const 0) (i32.const 5))
    (br $on))
  unreachable)
