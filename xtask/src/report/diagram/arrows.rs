//! The shapes of the steps.

use std::fmt::Write;

use super::drawing::Drawing;

impl Drawing<'_> {
    /// Draws bytes.
    pub(super) fn arrow(&mut self, y: f64, from: f64, to: f64, class: &str) {
        self.path(class, &format!("M{from:.1} {y:.1}H{to:.1}"));
        self.head(y, to, (to - from).signum(), &format!("{class} full"));
    }

    pub(super) fn head(&mut self, y: f64, x: f64, to_the: f64, class: &str) {
        let back = x - 9.0 * to_the;
        self.path(class, &format!("M{x:.1} {y:.1}L{back:.1} {:.1}V{:.1}Z", y - 4.5, y + 4.5));
    }

    /// Draws a connection: an open head.
    pub(super) fn open_arrow(&mut self, y: f64, from: f64, to: f64, class: &str) {
        let back = to - 9.0 * (to - from).signum();
        self.path(
            class,
            &format!(
                "M{from:.1} {y:.1}H{to:.1}M{back:.1} {:.1}L{to:.1} {y:.1}L{back:.1} {:.1}",
                y - 5.0,
                y + 5.0
            ),
        );
    }

    /// Draws an end of stream: a dashed line to a double bar.
    pub(super) fn last_arrow(&mut self, y: f64, from: f64, to: f64, class: &str) {
        let to_the = (to - from).signum();
        self.path(&format!("{class} end"), &format!("M{from:.1} {y:.1}H{to:.1}"));
        self.head(y, to - 11.0 * to_the, to_the, &format!("{class} full"));
        for bar in [to - 9.0 * to_the, to - 5.0 * to_the] {
            self.path(class, &format!("M{bar:.1} {:.1}V{:.1}", y - 6.0, y + 6.0));
        }
    }

    /// Draws a reset or a refusal: a jagged line to a cross.
    pub(super) fn broken_arrow(&mut self, y: f64, from: f64, to: f64, class: &str) {
        const TEETH: i32 = 6;
        let to_the = (to - from).signum();
        let end = to - 10.0 * to_the;
        let jagged = end - 8.0 * to_the * f64::from(TEETH);
        let mut path = format!("M{from:.1} {y:.1}H{jagged:.1}");
        for tooth in 0..TEETH {
            let side = if tooth % 2 == 0 { -4.0 } else { 4.0 };
            _ = write!(
                path,
                "L{:.1} {:.1}",
                jagged + (f64::from(tooth) + 0.5) * 8.0 * to_the,
                y + side
            );
        }
        _ = write!(path, "L{end:.1} {y:.1}");
        self.path(class, &path);
        let (left, right, top, bottom) = (end - 5.0, end + 5.0, y - 5.0, y + 5.0);
        let cross = format!(
            "M{left:.1} {top:.1}L{right:.1} {bottom:.1}M{left:.1} {bottom:.1}L{right:.1} {top:.1}"
        );
        self.path(class, &cross);
    }

    /// Draws a wait that nothing ended: dots to a ring before the next lane.
    pub(super) fn no_arrow(&mut self, y: f64, from: f64, to: f64, class: &str) {
        let end = from + self.gap / 2.0 * (to - from).signum();
        self.path(&format!("{class} nothing"), &format!("M{from:.1} {y:.1}H{end:.1}"));
        _ = writeln!(
            self.svg,
            "<circle class=\"{class}\" cx=\"{end:.1}\" cy=\"{y:.1}\" r=\"4.5\"/>"
        );
    }
}
