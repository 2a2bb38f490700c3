;; Writes lists inside one another, 60,000 deep. The limit on depth ends the run, long before the host's stack would.
(data (i32.const 0) "domain.data.a")
(data (i32.const 2048) "\91")
(data (i32.const 512) "\c0")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (memory.fill (i32.const 2048) (i32.const 0x91) (i32.const 60000))
  (call $set (i32.const 0) (i32.const 13) (i32.const 2048) (i32.const 60000))
  (call $ok (i32.const 512) (i32.const 1)))
