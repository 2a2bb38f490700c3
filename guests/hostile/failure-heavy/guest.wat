;; Fails with a message of 50 MB, of letters that take three bytes each. It is cut, or ends as out of time, for what could not be taken
;; over before the deadline is not begun; and its error is none that the contract lists.
(data (i32.const 0) "Heavy")
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
  (call $fail (i32.const 0) (i32.const 5) (i32.const 65536) (i32.const 50331648)))
