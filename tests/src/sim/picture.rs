//! Pictures with their number drawn in: a bar code that survives compression, moving parts to code.

/// Bits in the bar code.
pub const BITS: u32 = 16;

/// Height of the bar code's row.
pub const BAR_HEIGHT: usize = 32;

/// A 4:2:0 picture with `number` in its top row: black for 0, white for 1, most significant bit first.
#[must_use]
pub fn draw(width: usize, height: usize, number: u32) -> Vec<u8> {
    let mut luma = vec![0_u8; width * height];
    for (y, row) in luma.chunks_exact_mut(width).enumerate() {
        for (x, value) in row.iter_mut().enumerate() {
            *value = if y < BAR_HEIGHT {
                bar(width, x, number)
            } else {
                scene(width, height, x, y, number)
            };
        }
    }
    let chroma = (width / 2) * (height / 2);
    luma.extend(std::iter::repeat_n(110, chroma));
    luma.extend(std::iter::repeat_n(150, chroma));
    luma
}

fn bar(width: usize, x: usize, number: u32) -> u8 {
    let bit = (x * BITS as usize / width) as u32;
    if number >> (BITS - 1 - bit) & 1 == 1 {
        235
    } else {
        16
    }
}

/// A gradient with a block that moves, so that there is something to code in each picture.
fn scene(width: usize, height: usize, x: usize, y: usize, number: u32) -> u8 {
    let at = number as usize * 8 % width;
    let in_block = x.abs_diff(at) < width / 10 && y.abs_diff(height / 2) < height / 6;
    if in_block {
        200
    } else {
        (40 + x * 120 / width + y * 40 / height) as u8
    }
}

/// Reads the number from the luma of a decoded picture; None when a bar is neither black nor white.
#[must_use]
pub fn read(luma: &[u8], width: usize) -> Option<u32> {
    let mut number = 0;
    for bit in 0..BITS as usize {
        let x = (2 * bit + 1) * width / (2 * BITS as usize);
        let value = *luma.get(width * (BAR_HEIGHT / 2) + x)?;
        let is_set = match value {
            0..=80 => 0,
            170..=255 => 1,
            _ => return None,
        };
        number = number << 1 | is_set;
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_drawing() {
        for number in [0, 1, 299, 0xaaaa, 0xffff] {
            assert_eq!(read(&draw(320, 180, number), 320), Some(number));
        }
    }
}
