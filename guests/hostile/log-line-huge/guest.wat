;; Writes lines of 50 MB to the log, of letters that take three bytes each. Each costs fuel by its length, kept or not: the
;; fuel ends it.
(data (i32.const 32) "\e6\97\a5")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (local $len i32)
  (drop (memory.grow (i32.const 770)))
  (memory.copy (i32.const 65536) (i32.const 32) (i32.const 3))
  ;; The letter, doubled until there are 2^24 of them.
  (local.set $len (i32.const 3))
  (loop $double
    (memory.copy (i32.add (i32.const 65536) (local.get $len)) (i32.const 65536) (local.get $len))
    (local.set $len (i32.shl (local.get $len) (i32.const 1)))
    (br_if $double (i32.lt_u (local.get $len) (i32.const 50331648))))
  (loop $on
    (call $log (i32.const 2) (i32.const 65536) (i32.const 50331648))
    (br $on))
  unreachable)
