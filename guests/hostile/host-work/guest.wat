;; Has the host decode a large value with few instructions of its own, again and again. The host's work costs fuel by its
;; size: the fuel ends it.
(data (i32.const 0) "domain.data.a")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (drop (memory.grow (i32.const 32)))
  ;; A binary value of 1,000,000 bytes.
  (i32.store8 (i32.const 65536) (i32.const 0xc6))
  (i32.store (i32.const 65537) (i32.const 0x40420f00))
  (loop $on
    (call $set (i32.const 0) (i32.const 13) (i32.const 65536) (i32.const 1000005))
    (br $on))
  unreachable)
