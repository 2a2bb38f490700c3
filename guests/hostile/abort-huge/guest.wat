;; Ends itself with a message of 30 MB and a file name of as many. What is kept of it is bounded.
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (drop (memory.grow (i32.const 920)))
  (memory.fill (i32.const 65536) (i32.const 0x61) (i32.const 60000000))
  (call $abort
    (i32.const 65536) (i32.const 30000000)
    (i32.const 65536) (i32.const 30000000)
    (i32.const 7) (i32.const 7))
  unreachable)
