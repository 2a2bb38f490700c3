;; Makes a NaN by arithmetic and returns its bits, which differ between processors. The host's are the canonical ones, on
;; every machine.
(global $zero (mut f32) (f32.const 0))
(data (i32.const 64) "\ce")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  ;; An integer of MessagePack has its highest byte first; all but two bytes of a canonical NaN are zero.
  (i32.store8 (i32.const 65)
    (i32.shr_u (i32.reinterpret_f32 (f32.div (global.get $zero) (global.get $zero))) (i32.const 24)))
  (i32.store8 (i32.const 66)
    (i32.shr_u (i32.reinterpret_f32 (f32.div (global.get $zero) (global.get $zero))) (i32.const 16)))
  (call $ok (i32.const 64) (i32.const 5)))
