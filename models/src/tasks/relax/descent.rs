//! A relaxation on the way: it says which structure it wants to know about next, and goes on with the answer. So one potential
//! can serve many of them at once.

use std::sync::Arc;

use cellwright_crystal::Structure;
use cellwright_crystal::symmetry::Operation;
use nalgebra::Vector3;

use super::coordinates::Coordinates;
use super::fire::Fire;
use super::held::Held;
use super::lbfgs::Lbfgs;
use super::symmetry::Projector;
use super::{Frame, Minimiser, Optimizer, RelaxOptions, Relaxed, cap};
use crate::{Evaluation, ModelError};

/// How often a step into a place that the potential refuses is halved.
const MOST_RETREATS: usize = 6;

/// A relaxation between two answers of the potential.
pub struct Descent {
    minimiser: Box<dyn Minimiser + Send>,
    projector: Projector,
    held: Held,
    tolerance: f64,
    most_steps: usize,
    /// Where it is; the start until that was evaluated.
    here: Point,
    initial: Option<Evaluation>,
    last: Option<Evaluation>,
    forces: Vec<Vector3<f64>>,
    /// Where it wants to go, and how to get there.
    next: Option<(Point, Vec<Vector3<f64>>)>,
    retreats: usize,
    steps: usize,
    converged: bool,
}

#[derive(Debug, Clone)]
struct Point {
    coordinates: Coordinates,
    structure: Structure,
}

impl Point {
    fn moved(&self, step: &[Vector3<f64>]) -> Result<Self, ModelError> {
        let coordinates = self.coordinates.moved(step);
        Ok(Self { structure: coordinates.structure()?, coordinates })
    }
}

impl Descent {
    /// At the start. See [`super::relax`] for `symmetry`.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] when the start does not have the symmetry or another number of atoms than are held or free.
    pub fn new(
        start: &Structure,
        symmetry: Option<&[Operation]>,
        options: &RelaxOptions,
    ) -> Result<Self, ModelError> {
        let mut start = start.clone();
        let projector = match symmetry {
            Some(operations) => Projector::new(&mut start, operations)?,
            None => Projector::none(),
        };
        let held = Held::new(&start, &options.held)?;
        let minimiser: Box<dyn Minimiser + Send> = match options.optimizer {
            Optimizer::Fire => Box::new(Fire::new()),
            Optimizer::Lbfgs => Box::new(Lbfgs::new()),
        };
        let coordinates = Coordinates::new(Arc::new(start.clone()), options.cell);
        Ok(Self {
            minimiser,
            projector,
            held,
            tolerance: options.force_tolerance,
            most_steps: options.max_steps,
            here: Point { coordinates, structure: start },
            initial: None,
            last: None,
            forces: Vec::new(),
            next: None,
            retreats: 0,
            steps: 0,
            converged: false,
        })
    }

    /// The structure that the potential is to be asked about; none when the end is reached.
    #[must_use]
    pub fn wanted(&self) -> Option<&Structure> {
        match &self.next {
            Some((point, _)) => Some(&point.structure),
            None => self.last.is_none().then_some(&self.here.structure),
        }
    }

    /// Goes on with what the potential said about the wanted structure. Returns whether a step was taken (the start counts): not
    /// when the potential refused the place, and a shorter step is tried.
    ///
    /// # Errors
    /// What the potential said, where that is the end; [`ModelError::Unsupported`] when the cell collapses or flies apart.
    pub fn advance(&mut self, answer: Result<Evaluation, ModelError>) -> Result<bool, ModelError> {
        match (answer.and_then(finite), self.next.take()) {
            (Ok(evaluation), next) => {
                if let Some((point, _)) = next {
                    self.here = point;
                    self.steps += 1;
                }
                self.arrive(evaluation)?;
                Ok(true)
            }
            (Err(ModelError::Unsupported(_)), Some((_, mut step)))
                if self.retreats < MOST_RETREATS =>
            {
                self.retreats += 1;
                self.minimiser.reset();
                step.iter_mut().for_each(|row| *row *= 0.5);
                self.next = Some((self.here.moved(&step)?, step));
                Ok(false)
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Lets a relaxation that has ended without reaching the tolerance take more steps, `most` in all.
    ///
    /// # Errors
    /// As [`Self::advance`].
    pub fn extend(&mut self, most: usize) -> Result<(), ModelError> {
        self.most_steps = most;
        if self.next.is_none() && self.last.is_some() { self.choose() } else { Ok(()) }
    }

    fn arrive(&mut self, evaluation: Evaluation) -> Result<(), ModelError> {
        let Point { coordinates, structure } = &self.here;
        self.forces = coordinates.forces(structure, &evaluation, &self.projector);
        self.held.project(&mut self.forces);
        self.converged = coordinates.is_converged(&self.forces, self.tolerance);
        self.initial.get_or_insert_with(|| evaluation.clone());
        self.last = Some(evaluation);
        self.retreats = 0;
        self.choose()
    }

    /// Plans the next step, if there is to be one.
    fn choose(&mut self) -> Result<(), ModelError> {
        let Some(last) = &self.last else { return Ok(()) };
        if self.converged || self.steps >= self.most_steps {
            return Ok(());
        }
        let energy = last.energy_per_atom * self.here.structure.len() as f64;
        let mut step = self.minimiser.step(energy, &self.forces);
        cap(&mut step);
        self.projector.project(&mut step);
        self.held.project(&mut step);
        self.next = Some((self.here.moved(&step)?, step));
        Ok(())
    }

    /// The last step taken; none before the start was evaluated.
    #[must_use]
    pub fn frame(&self) -> Option<Frame<'_>> {
        let evaluation = self.last.as_ref()?;
        Some(Frame {
            step: self.steps,
            structure: &self.here.structure,
            evaluation,
            max_force: self.held.largest(&evaluation.forces),
        })
    }

    /// Whether the tolerance is reached.
    #[must_use]
    pub fn converged(&self) -> bool {
        self.converged
    }

    /// Where it is now, the end or not; none before the start was evaluated.
    #[must_use]
    pub fn relaxed(&self) -> Option<Relaxed> {
        let (initial, last) = (self.initial.clone()?, self.last.clone()?);
        let [initial_force, last_force] = [&initial, &last].map(|e| self.held.largest(&e.forces));
        let structure = self.here.structure.clone();
        let (steps, converged) = (self.steps, self.converged);
        Some(Relaxed { structure, initial, last, initial_force, last_force, steps, converged })
    }
}

fn finite(evaluation: Evaluation) -> Result<Evaluation, ModelError> {
    let finite = evaluation.energy_per_atom.is_finite()
        && evaluation.forces.iter().flatten().chain(&evaluation.stress).all(|x| x.is_finite());
    if finite {
        Ok(evaluation)
    } else {
        Err(ModelError::Unsupported("the potential gives no finite energy here".to_owned()))
    }
}
